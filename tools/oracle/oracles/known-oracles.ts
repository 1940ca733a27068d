import { cargo } from './cargo.ts';
import { go } from './go.ts';
import { nx } from './nx.ts';
import type { Oracle } from './oracle.ts';
import { pnpm } from './pnpm.ts';
import { turbo } from './turbo.ts';

export const ORACLES: readonly Oracle[] = [nx, turbo, pnpm, go, cargo];

/** Tools that know as well and are not asked, with the reason. */
export const NOT_ASKED: Readonly<Record<string, string>> = {
  moon: 'since version 2 it downloads a plugin for every toolchain before it answers, and oracles are asked without a network',
  mvn: 'it resolves plugins and parent projects from remote repositories before it answers, and oracles are asked without a network',
  gradle:
    'it runs the build scripts with plugins from remote repositories before it answers, and oracles are asked without a network',
};
