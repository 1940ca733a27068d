// @ts-check

/**
 * @typedef {{ kind: 'set-up', name: string, command: readonly string[] }
 *   | { kind: 'doctor', json: boolean }
 *   | { kind: 'usage', problem: string | null }} Request
 */

export const USAGE = `Usage: node tools/bootstrap/main.mjs [name]                     set everything up
       node tools/bootstrap/main.mjs [name] -- command args...  ... and run the command with it
       node tools/bootstrap/main.mjs doctor [--json]            say what is there, change nothing
`;

/**
 * @param {readonly string[]} args without node and the script
 * @returns {Request}
 */
export function parseCommandLine(args) {
  const dashes = args.indexOf('--');
  const own = dashes === -1 ? args : args.slice(0, dashes);
  const command = dashes === -1 ? [] : args.slice(dashes + 1);
  const [name = 'set-up', ...rest] = own;
  if (name === 'doctor') {
    const unknown = rest.find((option) => option !== '--json');
    if (unknown !== undefined) return { kind: 'usage', problem: `doctor knows no ${unknown}` };
    return { kind: 'doctor', json: rest.includes('--json') };
  }
  if (name === '--help' || name === '-h') return { kind: 'usage', problem: null };
  if (name.startsWith('-') || rest.length > 0)
    return { kind: 'usage', problem: `unexpected ${name.startsWith('-') ? name : rest[0]}` };
  if (dashes !== -1 && command.length === 0) return { kind: 'usage', problem: 'no command after --' };
  return { kind: 'set-up', name, command };
}
