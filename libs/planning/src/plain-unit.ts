import type { Unit } from './model.ts';

/**
 * A unit that says nothing but where it is and what describes it: it stands alone, runs nothing and needs nothing. Whoever
 * finds one spreads it and adds what is known.
 */
export function plainUnit({ root, ecosystem, manifest }: Pick<Unit, 'root' | 'ecosystem' | 'manifest'>): Unit {
  return {
    id: root,
    name: root,
    root,
    ecosystem,
    workspace: root,
    manifest,
    meaning: '',
    workspaceMeaning: null,
    closure: { kind: 'none' },
    commands: [],
    inputs: [],
    caches: [],
    install: [],
    hosts: [],
    env: {},
    toolchain: null,
    typescript: false,
    buildsFirst: [],
    buildBeforeTest: false,
  };
}
