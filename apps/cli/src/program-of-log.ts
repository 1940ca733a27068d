import { Option, type Command } from 'commander';
import { keyIds, ofDatabase, ofGateway, ofLog, runId, wholeNumber, withJson, withKeys } from './command-options.ts';
import type { AtOptions } from './commands/at.ts';
import type { AttestOptions } from './commands/attest.ts';
import type { AttestVerifyOptions } from './commands/attest-verify.ts';
import type { CheckOptions } from './commands/audit-check.ts';
import type { CheckpointsOptions } from './commands/audit-checkpoints.ts';
import type { DurationsOptions } from './commands/durations.ts';
import type { ExportOptions } from './commands/audit-export.ts';
import type { LedgerOptions } from './commands/ledger.ts';
import type { ReplayOptions } from './commands/replay.ts';
import type { VerifyOptions } from './commands/audit-verify.ts';
import { EXAMPLES } from './examples.ts';
import type { Surroundings } from './surroundings.ts';

/** Told what the process ends with. */
export type Done = (exitCode: number) => void;

/** The commands that look into the log of a mesh: proving, stating, replaying, looking back. */
export function addLogCommands(program: Command, surroundings: Surroundings, done: Done): void {
  addAudit(program, surroundings, done);
  addAttest(program, surroundings, done);
  addLog(program, surroundings, done);
}

function addAudit(program: Command, surroundings: Surroundings, done: Done): void {
  const audit = program.command('audit').description('prove that the log is as it was recorded');
  withKeys(ofLog(audit.command('verify')))
    .description(
      'recompute the log and compare it with its checkpoints; names the first position that is not as recorded',
    )
    .option('--from <checkpoint>', 'start from this one: its position, or a file with it')
    .addOption(new Option('--run <id>', 'only what proves this run').argParser(runId).conflicts('from'))
    .addHelpText('after', EXAMPLES.auditVerify)
    .action(async (options: VerifyOptions) =>
      done(await (await import('./commands/audit-verify.ts')).verifyAudit(surroundings, options)),
    );
  ofGateway(audit.command('checkpoints'))
    .description('the checkpoints of a mesh, in the log and beside the artifacts')
    .option('--after <position>', 'only those after this position', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--limit <n>', 'how many', wholeNumber(1, 1_000), 100)
    .action(async (options: CheckpointsOptions) =>
      done(await (await import('./commands/audit-checkpoints.ts')).auditCheckpoints(surroundings, options)),
    );
  withKeys(ofLog(audit.command('export')))
    .description('put what proves a run into one file')
    .addOption(new Option('--run <id>', 'the run').argParser(runId).makeOptionMandatory())
    .option('--out <file>', 'the file; otherwise standard output')
    .addHelpText('after', EXAMPLES.auditExport)
    .action(async (options: ExportOptions) =>
      done(await (await import('./commands/audit-export.ts')).exportAudit(surroundings, options)),
    );
  withKeys(withJson(audit.command('check')))
    .description('prove a run from an exported file alone, without a mesh')
    .argument('<bundle>', 'the file')
    .addOption(new Option('--key-id <ids...>', 'trust the keys of these ids').argParser(keyIds).conflicts('keys'))
    .addHelpText('after', EXAMPLES.auditCheck)
    .action(async (file: string, options: CheckOptions) =>
      done(await (await import('./commands/audit-check.ts')).checkAudit(surroundings, file, options)),
    );
}

function addAttest(program: Command, surroundings: Surroundings, done: Done): void {
  const command = withKeys(ofLog(program.command('attest').enablePositionalOptions()))
    .description('state what was run for a commit, what was not, and why, as a signed file')
    .argument('<run>', 'id of the run', runId)
    .option('--output <file>', 'the file; otherwise standard output')
    .option(
      '--key <file>',
      'the private key that signs (DELTA_ATTESTATION_KEY_FILE; otherwise that of the mesh of this checkout)',
    )
    .addHelpText('after', EXAMPLES.attest)
    .action(async (id: string, options: AttestOptions) =>
      done(await (await import('./commands/attest.ts')).attest(surroundings, id, options)),
    );
  withKeys(withJson(command.command('verify')))
    .description('check such a file with public keys alone, and print what it states')
    .argument('<file>')
    .addHelpText('after', EXAMPLES.attestVerify)
    .action(async (file: string, options: AttestVerifyOptions) =>
      done(await (await import('./commands/attest-verify.ts')).verifyAttestation(surroundings, file, options)),
    );
}

function addLog(program: Command, surroundings: Surroundings, done: Done): void {
  ofGateway(program.command('at'))
    .description('the queue, leases, runners and runs of a mesh at a moment in the past')
    .argument('<position|time>', 'a log position, a time like 2026-01-31T12:00:00Z, or now')
    .option('--job <run/job>', 'why this job was waiting then')
    .option('--limit <n>', 'how many runs', wholeNumber(1, 500), 100)
    .option('--cursor <cursor>', 'where the previous page ended')
    .addHelpText('after', EXAMPLES.at)
    .action(async (moment: string, options: AtOptions) =>
      done(await (await import('./commands/at.ts')).at(surroundings, moment, options)),
    );
  ofDatabase(program.command('durations'))
    .description('how long steps of a repository take, as learned from its runs')
    .argument('<repository>', 'for instance github/demo/shop')
    .addHelpText('after', EXAMPLES.durations)
    .action(async (id: string, options: DurationsOptions) =>
      done(await (await import('./commands/durations.ts')).durations(surroundings, id, options)),
    );
  ofDatabase(program.command('ledger'))
    .description('what leaving jobs out saves in a repository, and in how many changes it may miss a failure')
    .argument('<repository>', 'for instance github/demo/shop')
    .addHelpText('after', EXAMPLES.ledger)
    .action(async (id: string, options: LedgerOptions) =>
      done(await (await import('./commands/ledger.ts')).ledger(surroundings, id, options)),
    );
  ofDatabase(program.command('replay'))
    .description('decide a recorded run again, or fold the whole log again, and compare')
    .argument('[run]', 'id of the run whose decisions are made again')
    .option('--verify', 'fold the log from the start; compare with every signed checkpoint and with the tables')
    .option('--artifacts <dir>', 'the artifact store (DELTA_ARTIFACT_DIR; otherwise that of the mesh of this checkout)')
    .addHelpText('after', EXAMPLES.replay)
    .action(async (id: string | undefined, options: ReplayOptions) =>
      done(await (await import('./commands/replay.ts')).replay(surroundings, id, options)),
    );
}
