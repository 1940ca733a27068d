// @ts-check

/**
 * What does not run as it is: input, output, time and chance. A module is replaced where production code imports it; a
 * file of ours is replaced for everybody. Everything else that is loaded is the real source.
 */
export const MODULES = [
  { specifier: 'node:timers/promises', importers: '', standIn: 'stand-ins/timers-promises.ts' },
  { specifier: 'node:crypto', importers: '', standIn: 'stand-ins/node-crypto.ts' },
  { specifier: 'node:fs/promises', importers: 'apps/runner/', standIn: 'stand-ins/files.ts' },
  { specifier: 'node:fs/promises', importers: 'libs/event-log/src/checkpoints/', standIn: 'stand-ins/files.ts' },
  { specifier: 'node:fs/promises', importers: 'libs/forge/', standIn: 'stand-ins/files.ts' },
  { specifier: 'uuid', importers: '', standIn: 'stand-ins/ids.ts' },
  { specifier: 'pg', importers: 'libs/event-log/', standIn: 'stand-ins/pg.ts' },
  { specifier: '@delta-ci/sandbox', importers: 'apps/runner/', standIn: 'stand-ins/sandbox.ts' },
];

export const FILES = {
  'libs/event-log/src/connection.ts': 'stand-ins/log-connection.ts',
  'libs/event-log/src/append/event-id.ts': 'stand-ins/ids.ts',
  'libs/bus/src/jetstream/connect.ts': 'stand-ins/connect-bus.ts',
  'libs/artifact-store/src/file-artifact-store.ts': 'stand-ins/artifact-store.ts',
  'apps/gateway/src/access/private-file.ts': 'stand-ins/files.ts',
  'apps/runner/src/fetch-source.ts': 'stand-ins/sandbox.ts',
  'apps/runner/src/rehearsal.ts': 'stand-ins/sandbox.ts',
  'apps/runner/src/work-directories.ts': 'stand-ins/files.ts',
  'apps/runner-controller/src/process-provisioner.ts': 'stand-ins/provisioner.ts',
};
