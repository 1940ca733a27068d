import { isWorkflow } from '../rust/ci-lines.ts';
import { isCargoSetting } from '../rust/settings.ts';
import { condenseSource } from '../rust/sources.ts';
import { discoverCargo } from '../rust/units.ts';
import { isCargoManifest } from '../rust/workspaces.ts';
import { fileNameOf } from '../tree-paths.ts';
import type { Detector } from './detector.ts';

/** Packages of cargo, alone or in workspaces. */
export const cargoDetector: Detector = {
  ecosystem: 'cargo',
  lookedFor: 'Cargo.toml (Rust packages and workspaces)',
  wants: (path) =>
    isCargoManifest(path) ||
    fileNameOf(path) === 'Cargo.lock' ||
    isCargoSetting(path) ||
    isWorkflow(path) ||
    isSource(path),
  condense: (path, text) => (isSource(path) ? condenseSource(text) : null),
  detect: discoverCargo,
};

function isSource(path: string): boolean {
  return path.endsWith('.rs');
}
