import { readFileSync, writeFileSync } from 'node:fs';
import { Evidence } from './evidence.ts';
import { judge } from './verdict.ts';
import { verdictText } from './verdict-text.ts';

const USAGE = `node test/faults/checker/main.ts EVIDENCE VERDICT

Reads what a quiet mesh left (its log, its stream, its forge, what its jobs wrote down) and writes the verdict to
VERDICT, as JSON, and as a table beside it. Ends with 0 when every invariant holds, 1 when one does not.
`;

const [evidenceFile, verdictFile] = process.argv.slice(2);
if (evidenceFile === undefined || verdictFile === undefined) {
  process.stderr.write(USAGE);
  process.exit(2);
}
const verdict = await judge(Evidence.parse(JSON.parse(readFileSync(evidenceFile, 'utf8'))));
writeFileSync(verdictFile, `${JSON.stringify(verdict, null, 2)}\n`);
writeFileSync(verdictFile.replace(/\.json$/u, '.txt'), `${verdictText(verdict)}\n`);
process.exitCode = verdict.holds ? 0 : 1;
