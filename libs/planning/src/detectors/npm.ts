import { condenseJavaScript, sourcesAmong } from '../javascript/condense.ts';
import { discoverPackages } from '../javascript/units.ts';
import { isJavaScriptFile } from '../javascript/wanted-files.ts';
import type { Detector } from './detector.ts';

/** Packages of npm, and of yarn and bun, whose workspaces are written the same way. */
export const npmDetector: Detector = {
  ecosystem: 'npm',
  lookedFor:
    'package.json with a build, test, lint or typecheck script (npm, yarn and bun workspaces, or single packages), or projects of Nx',
  wants: isJavaScriptFile,
  condense: condenseJavaScript,
  wantsAmong: sourcesAmong,
  detect: (view) => discoverPackages(view, 'npm', ['npm', 'yarn', 'bun']),
};
