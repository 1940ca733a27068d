import { dirname, join } from 'node:path';
import type { ReadOnlyBind } from '@delta-ci/sandbox';
import { SetupProblem } from '../bootstrap/index.mjs';
import { installBeside } from '../bootstrap/packages-beside.mjs';
import { programs } from './peers/programs.mjs';
import { ensureGo, findCargo } from './toolchains.mjs';
import type { Oracle } from './oracles/oracle.ts';

/** A program that can be asked: what a sandbox has to show for it, and by which variables scripts name it. */
export interface Tool {
  readonly binds: readonly ReadOnlyBind[];
  readonly env: Readonly<Record<string, string>>;
}

export type FoundTool = { readonly ok: true; readonly tool: Tool } | { readonly ok: false; readonly reason: string };

const PEERS = join(import.meta.dirname, 'peers');
const SHOWN_PEERS = '/opt/peers/node_modules';
const SHOWN_NODE = '/opt/node';
/** What every sandbox has. */
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';

/** Finds or fetches what one oracle asks. That it cannot be had is an answer. */
export async function toolFor(
  program: Oracle['program'],
  where: { readonly cacheDir: string; readonly say: (text: string) => void },
): Promise<FoundTool> {
  switch (program) {
    case 'go':
      return nativeTool('GO', await ensureGo(where), '/opt/go');
    case 'cargo':
      return nativeTool('CARGO', await findCargo(), '/opt/rust');
    case 'nx':
    case 'turbo':
    case 'pnpm':
      return nodeTool(program);
  }
}

type Found =
  { readonly program: string; readonly folder: string } | { readonly program: null; readonly reason: string };

function nativeTool(variable: string, found: Found, at: string): FoundTool {
  if (found.program === null) return { ok: false, reason: found.reason };
  const { program, folder } = found;
  const env = { [variable]: `${at}${program.slice(folder.length)}`, PATH: SYSTEM_PATH };
  return { ok: true, tool: { binds: [{ hostPath: folder, at }], env } };
}

async function nodeTool(program: 'nx' | 'turbo' | 'pnpm'): Promise<FoundTool> {
  try {
    await installBeside(PEERS, 'the tools to ask');
  } catch (error) {
    if (error instanceof SetupProblem) return { ok: false, reason: error.message };
    throw error;
  }
  const installed = join(PEERS, 'node_modules');
  const begins = programs()[program];
  return {
    ok: true,
    tool: {
      binds: [
        { hostPath: installed, at: SHOWN_PEERS },
        { hostPath: dirname(dirname(process.execPath)), at: SHOWN_NODE },
      ],
      env: {
        PEERS: SHOWN_PEERS,
        [program.toUpperCase()]: `${SHOWN_PEERS}${begins.slice(installed.length)}`,
        PATH: `${SHOWN_NODE}/bin:${SYSTEM_PATH}`,
      },
    },
  };
}
