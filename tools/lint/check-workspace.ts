import { checkCycles, checkDeclarations, checkImports, type Breach, type ImportTable } from './import-laws.ts';
import { checkNames, checkRooms } from './room-laws.ts';
import type { Workspace } from './workspace.ts';

/** All laws of the house about rooms and who may import whom; an empty answer means that none is broken. */
export function checkWorkspace(workspace: Workspace, table: ImportTable): readonly Breach[] {
  return [
    ...checkRooms(workspace, table),
    ...checkNames(workspace),
    ...checkImports(workspace, table),
    ...checkDeclarations(workspace, table),
    ...checkCycles(workspace, table),
  ];
}
