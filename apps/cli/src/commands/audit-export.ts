import { resolve } from 'node:path';
import type { RunId } from '@delta-ci/contracts';
import { withAuditSource, type AuditOptions } from '../log/audit-source.ts';
import { collectBundle } from '../log/collect-bundle.ts';
import { trustedKeys } from '../log/trusted-keys.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { findingText } from '../screen/audit-text.ts';
import { plural } from '../screen/words.ts';
import { writeNewFile } from '../text-file.ts';
import { printJson, type Surroundings } from '../surroundings.ts';

export interface ExportOptions extends AuditOptions {
  readonly run: RunId;
  /** Default: standard output. */
  readonly out?: string;
}

/** `delta audit export`: what proves one run, in one file. It is checked before anybody gets it. */
export async function exportAudit(surroundings: Surroundings, options: ExportOptions): Promise<ExitCode> {
  return withAuditSource(surroundings, options, async (opened) => {
    const { bundleText, checkBundle } = opened.eventLog;
    const keys = await trustedKeys(surroundings, options, opened.eventLog);
    const bundle = await collectBundle(opened, options.run, keys);
    const { finding, records } = checkBundle(bundle, keys);
    if (finding !== null) throw new Problem('not_as_recorded', findingText(finding), { exitCode: EXIT.failed });
    const text = bundleText(bundle);
    if (options.out === undefined) {
      surroundings.out(text);
      return EXIT.succeeded;
    }
    await writeNewFile(resolve(surroundings.directory, options.out), text);
    const facts = {
      runId: bundle.runId,
      out: options.out,
      records: records.length,
      checkpoints: bundle.segments.length,
    };
    if (options.json === true) printJson(surroundings, facts);
    else
      surroundings.out(
        `${options.out}: ${plural(facts.records, 'record')} of ${facts.runId} under ${plural(facts.checkpoints, 'checkpoint')}; check it: delta audit check ${options.out}\n`,
      );
    return EXIT.succeeded;
  });
}
