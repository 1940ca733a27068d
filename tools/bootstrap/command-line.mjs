// @ts-check

/**
 * @typedef {{ kind: 'set-up', name: string, dockerMayServe: boolean, command: readonly string[] }
 *   | { kind: 'doctor', json: boolean }
 *   | { kind: 'usage', problem: string | null }} Request
 */

export const USAGE = `Usage: node tools/bootstrap/main.mjs [name] [--or-docker]                     set everything up
       node tools/bootstrap/main.mjs [name] [--or-docker] -- command args...  ... and run the command with it
       node tools/bootstrap/main.mjs doctor [--json]                          say what is there, change nothing

--or-docker: a missing Postgres or nats-server is no problem when a Docker engine answers
`;

/**
 * @param {readonly string[]} args without node and the script
 * @returns {Request}
 */
export function parseCommandLine(args) {
  const dashes = args.indexOf('--');
  const own = dashes === -1 ? args : args.slice(0, dashes);
  const command = dashes === -1 ? [] : args.slice(dashes + 1);
  const [name = 'set-up', ...more] = own.filter((arg) => !arg.startsWith('-'));
  const options = own.filter((arg) => arg.startsWith('-'));
  if (options.includes('--help') || options.includes('-h')) return { kind: 'usage', problem: null };
  const known = name === 'doctor' ? '--json' : '--or-docker';
  const unexpected = more[0] ?? options.find((option) => option !== known);
  if (unexpected !== undefined) return { kind: 'usage', problem: `${name} knows no ${unexpected}` };
  if (name === 'doctor') return { kind: 'doctor', json: options.includes('--json') };
  if (dashes !== -1 && command.length === 0) return { kind: 'usage', problem: 'no command after --' };
  return { kind: 'set-up', name, dockerMayServe: options.includes('--or-docker'), command };
}
