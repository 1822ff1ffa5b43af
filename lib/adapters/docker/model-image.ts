import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MODEL_PLACE } from '../../domain/model-image.ts'
import type { ModelSource } from '../../ports/image-store.ts'
import { listModelFiles } from '../models/digest.ts'
import { findModelDirectory } from '../models/repository.ts'
import { type DockerOptions, describeFailure, engineArguments, loadExeca } from './docker.ts'

/** Whoever runs the service may read the files, whoever they belong to here; the same files make the same layer. */
const AS_READ = ['--owner=0', '--group=0', '--numeric-owner', '--mode=u+rwX,go+rX,go-w', '--mtime=@0']

/**
 * Makes the image `name` of another image and the files of a model, as they count for its fingerprint; links are followed. Nothing is
 * copied on this machine: files travel to the engine as they are read. Raises `not-found` for the model, `remote`.
 */
export async function buildModelImage(
  name: string,
  { image, root, model }: ModelSource,
  options: DockerOptions,
): Promise<void> {
  const { signal, host } = options
  const directory = findModelDirectory(root, model)
  const files = await listModelFiles(directory)
  const recipe = await mkdtemp(join(tmpdir(), 'longshore-model-'))
  const build = ['build', '--quiet', '--tag', name, '-']
  try {
    await writeFile(join(recipe, 'Dockerfile'), `FROM ${image}\nCOPY model ${MODEL_PLACE}\n`)
    const { execa } = await loadExeca()
    const from = ['-C', directory, '--null', '--files-from=-', '-C', recipe, 'Dockerfile']
    await execa('tar', ['--create', '--dereference', ...AS_READ, '--transform=s,^[.]/,model/,', ...from], {
      input: files.map((file) => `./${file}\0`).join(''),
      buffer: { stdout: false },
      cancelSignal: signal,
    }).pipe('docker', [...engineArguments(host), ...build], { cancelSignal: signal })
  } catch (error) {
    throw describeFailure(error, build, signal)
  } finally {
    await rm(recipe, { recursive: true, force: true })
  }
}
