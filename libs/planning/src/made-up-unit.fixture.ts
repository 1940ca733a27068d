import type { Unit } from './model.ts';

/** A unit that says nothing but where it is. */
export function aUnit(root: string, more: Partial<Unit> = {}): Unit {
  return {
    id: root,
    name: root,
    root,
    ecosystem: 'npm',
    workspace: root,
    manifest: `${root}/package.json`,
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
    ...more,
  };
}
