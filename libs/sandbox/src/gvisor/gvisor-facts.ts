import {
  filesystemReport,
  identityReport,
  unlessFact,
  verdict,
  type Expected,
  type ProbeFacts,
} from '../bubblewrap/sandbox-probe.ts';
import type { LayerReport } from '../layers.ts';

/**
 * The layers of a sandbox whose system calls gVisor answers, as far as they can be told from inside. What the kernel calls
 * itself is the proof that it is not the host's: all that namespaces, a filter and masks would keep from a job then lies behind it.
 */
export function judgeGvisorFacts(facts: ProbeFacts, expected: Expected): readonly LayerReport[] {
  const kernel = facts.get('kernel') ?? '';
  const behind = kernel === '' || kernel === expected.hostKernel ? ["the step sees the host's kernel"] : [];
  const filter = unlessFact(facts, 'Seccomp', '2');
  return [
    filesystemReport(facts, expected),
    verdict('namespaces', behind, expected.mechanism),
    verdict('network', [...behind, ...unlessFact(facts, 'interfaces', 'lo')], "gVisor's own network, a loopback alone"),
    identityReport(facts, expected, [], 'a user id per sandbox, no capabilities'),
    verdict('seccomp', [...behind, ...filter], `gVisor's own kernel, with a filter before it and one around it`),
    verdict('proc-masks', [...behind, ...unlessFact(facts, 'sys-writable', 'no')], "gVisor's own /proc"),
  ];
}
