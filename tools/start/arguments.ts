import { parseArgs } from 'node:util';

export interface StartArguments {
  /** No questions, no browser, no colours: for CI. */
  headless: boolean;
  /** End after the demonstration; the exit code says whether all of it really happened. */
  exit: boolean;
  /** Bring the system up and leave the demonstration out. */
  demo: boolean;
  /** Start runners; without them jobs wait for those that somebody else starts. */
  runners: boolean;
  /** Run jobs without a sandbox. Only by name. */
  unsandboxed: boolean;
  port: number;
  stateDir: string | null;
}

export const PORT_MAX = 65_535;

export const USAGE = `npm start -- [options]

Starts Delta CI on this machine: Postgres, NATS, every service and a pool of sandboxed runners; then takes a small
demonstration repository through a change that passes and one that breaks a test. Stays up until Ctrl-C.

  --headless       no colours, for logs and CI
  --exit           end after the demonstration; exit code 0 only if all of it really happened
  --no-demo        leave the demonstration out
  --no-runners     start no runners, for use with your own; leaves the demonstration out too
  --port N         port of the gateway (7070); 0 takes a free one and prints it
  --state-dir DIR  where data and logs are kept (.delta)
  --unsandboxed    run jobs as your own user, without any isolation
  --help           this text

Services take their settings from the environment, DELTA_EGRESS=proxy for instance; docs/running.md has the rest.
`;

export type ParsedArguments = { kind: 'start'; start: StartArguments } | { kind: 'usage'; problem: string | null };

export function parseStartArguments(args: readonly string[]): ParsedArguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        headless: { type: 'boolean', default: false },
        exit: { type: 'boolean', default: false },
        'no-demo': { type: 'boolean', default: false },
        'no-runners': { type: 'boolean', default: false },
        unsandboxed: { type: 'boolean', default: false },
        port: { type: 'string', default: '7070' },
        'state-dir': { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return { kind: 'usage', problem: null };
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > PORT_MAX)
      return { kind: 'usage', problem: `--port ${values.port} is no port` };
    const { headless, exit, unsandboxed } = values;
    const start = {
      headless,
      exit,
      demo: !values['no-demo'] && !values['no-runners'],
      runners: !values['no-runners'],
      unsandboxed,
      port,
      stateDir: values['state-dir'] ?? null,
    };
    return { kind: 'start', start };
  } catch (error) {
    return { kind: 'usage', problem: error instanceof Error ? error.message : String(error) };
  }
}
