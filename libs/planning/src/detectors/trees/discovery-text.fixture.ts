import type { Discovery, ExternalClosure, Unit, UnitEdge } from '../../model.ts';

/** Everything that discovery says, for people to read and compare. */
export function discoveryText({ units, edges, problems }: Discovery): string {
  const told = units.map((unit) =>
    unitText(
      unit,
      edges.filter(({ from }) => from === unit.id),
    ),
  );
  return [...told, ...problems.map(({ code, message }) => `problem ${code}: ${message}\n`)].join('\n');
}

function unitText(unit: Unit, edges: readonly UnitEdge[]): string {
  const { id, name, ecosystem, workspace, manifest, toolchain } = unit;
  const lines = [
    `${id} (${ecosystem} ${name}) by ${manifest}${workspace === unit.root ? '' : `, in ${workspace}`}`,
    ...edges.map(({ to, kind, evidence }) => `  needs ${to} (${kind}): ${evidence}`),
    ...closureLines(unit.closure),
    ...(toolchain === null ? [] : [`  toolchain ${toolchain.name} ${toolchain.version}: ${toolchain.evidence}`]),
    ...unit.install.map(({ run, workdir }) => `  install in ${workdir}: ${run}`),
    ...(unit.hosts.length === 0 ? [] : [`  reaches ${unit.hosts.join(', ')}`]),
    ...(unit.buildsFirst.length === 0 ? [] : [`  after the builds of ${unit.buildsFirst.join(', ')}`]),
    ...unit.commands.flatMap(({ kind, step, evidence, reports, outputs }) => [
      `  ${kind} in ${step.workdir}: ${step.run}  <- ${evidence}`,
      ...reports.map((path) => `    reports ${path}`),
      ...outputs.map((path) => `    leaves ${path}`),
    ]),
    ...unit.inputs.map(
      ({ paths, kinds, evidence }) => `  reads ${paths.join(' ')} (${[kinds].flat().join(', ')}): ${evidence}`,
    ),
    ...unit.caches.map(
      ({ type, name: key, paths, keyFiles }) => `  keeps ${key} (${type}): ${paths.join(' ')} by ${keyFiles.join(' ')}`,
    ),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function closureLines(closure: ExternalClosure): string[] {
  if (closure.kind === 'none') return [];
  if (closure.kind === 'unreadable') return [`  packages of ${closure.lockfile} cannot be read: ${closure.reason}`];
  const packages = [...closure.packages].map(([at, identity]) => `${at}=${identity}`).sort();
  return [`  packages of ${closure.lockfile}: ${packages.length === 0 ? 'none' : packages.join(' ')}`];
}
