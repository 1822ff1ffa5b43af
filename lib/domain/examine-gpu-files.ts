import { messageOf } from './errors.ts'
import { type Finding, fail } from './finding.ts'
import { type EngineOffer, type GpuFiles, type GpuNode, parseGpuNode } from './gpu-settings.ts'

/** What a machine tells of GPUs: its files, and its engine where that answers. */
export type GpuReport = GpuFiles & { readonly offer: EngineOffer | null }

/** What machines say of GPUs, and findings on files that say nothing to an engine. */
export function readGpuReports(reports: readonly GpuReport[]): { nodes: GpuNode[]; findings: Finding[] } {
  const nodes: GpuNode[] = []
  const findings: Finding[] = []
  for (const { offer, ...files } of reports) {
    try {
      nodes.push(parseGpuNode(files, offer))
    } catch (error) {
      const detail = `${files.name}: /etc/docker/daemon.json is no JSON: ${messageOf(error)}`
      findings.push(fail('gpu', detail, 'mend it before docker starts again there'))
    }
  }
  return { nodes, findings }
}
