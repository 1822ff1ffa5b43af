import { writeFile } from 'node:fs/promises'

const TOPICS = [
  ['bread', 'sourdough', 'oven', 'yeast', 'flour', 'crust'],
  ['sailing', 'harbour', 'anchor', 'mast', 'tide', 'rudder'],
  ['telescope', 'comet', 'orbit', 'planet', 'eclipse', 'nebula'],
  ['bicycle', 'chain', 'brake', 'saddle', 'gear', 'spoke'],
] as const
const OPENINGS = [
  'how do I choose a',
  'what makes a good',
  'when should I clean the',
  'why does my',
  'who invented the',
]
const ENDINGS = [
  'at home',
  'in winter',
  'for beginners',
  'without tools',
  'on a small budget',
  'after rain',
  'quickly',
]

export type Question = { readonly id: string; readonly text: string; readonly topic: string }

/** `count` different questions; ids and texts begin with `tag`, so that an answer shows where it comes from. */
export function makeQuestions(tag: string, count: number): Question[] {
  return Array.from({ length: count }, (_, index) => {
    const topic = TOPICS[index % TOPICS.length]!
    const pick = <T>(list: readonly T[], step: number) => list[Math.floor(index / step) % list.length]!
    const words = [pick(topic, 4), pick(topic, 24)]
    return {
      id: `${tag}-${index}`,
      text: `${tag} ${pick(OPENINGS, 7)} ${words.join(' ')} ${pick(ENDINGS, 3)} ${topic[0]} ${index}`,
      topic: topic[0],
    }
  })
}

/** Writes items as the JSONL input of split-index. */
export async function writeQuestions(path: string, questions: readonly Question[]): Promise<string> {
  await writeFile(path, questions.map((question) => `${JSON.stringify(question)}\n`).join(''))
  return path
}
