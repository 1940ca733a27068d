import { existsSync, readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { layOutRepository } from '../job/checkout.ts';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import type { SandboxExecutor, SandboxSpec } from '../sandbox-executor.ts';

/** What is guessed of a sandbox before its job is known: nothing of it but what is built in. */
export const guessFor = (spec: SandboxSpec): SandboxSpec => ({
  ...spec,
  trust: 'trusted',
  limits: { ...DEFAULT_SANDBOX_LIMITS, tmpBytes: spec.limits.tmpBytes },
  env: {},
  minimum: {},
});

/**
 * An executor all of whose sandboxes stood before they were asked for, except over a workspace that is not empty and with a network. A
 * stranger's job is treated as our own, less its layers: its file system of its own could not stand ahead.
 */
export function standingFirst(inner: SandboxExecutor, stateDir: string): SandboxExecutor {
  return {
    tier: inner.tier,
    probe: async () => inner.probe(),
    open: async (asked) => {
      const spec: SandboxSpec = { ...asked, trust: 'trusted' };
      const { hostDir } = spec.workspace;
      const suits = spec.network === 'none' && existsSync(hostDir) && readdirSync(hostDir).length === 0;
      await inner.standBy?.(guessFor(spec));
      const stood = await readdir(stateDir);
      const opened = await inner.open(spec);
      if (!opened.ok) await inner.standDown?.();
      const same = stood.length === 1 && (await readdir(stateDir)).includes(stood[0] ?? '');
      if (opened.ok && suits && !same) throw new Error('no sandbox stood ready');
      return opened;
    },
  };
}

/**
 * An executor that had a sandbox standing by, in a workspace laid out as runners do it, whenever a stranger's job comes: it may
 * have nothing of what stood for others, and no less than where nothing stood.
 */
export function strangersAfterStandBy(inner: SandboxExecutor, stateDir: string): SandboxExecutor {
  return {
    tier: inner.tier,
    probe: async () => inner.probe(),
    open: async (spec) => {
      await layOutRepository(spec.workspace.hostDir, '/source.git');
      await inner.standBy?.({ ...guessFor(spec), network: 'none' });
      const [stood] = await readdir(stateDir);
      if (stood === undefined) throw new Error('no sandbox stood ready');
      const opened = await inner.open(spec);
      if (!opened.ok) {
        await inner.standDown?.();
        return opened;
      }
      const { layers } = await inner.probe();
      const asEver = !(await readdir(stateDir)).includes(stood) && isDeepStrictEqual(opened.sandbox.layers, layers);
      if (asEver) return opened;
      await opened.sandbox.close();
      throw new Error('a stranger was given what stood, or less than this host can enforce');
    },
  };
}
