import { discoverPackages } from '../javascript/units.ts';
import { isJavaScriptFile } from '../javascript/wanted-files.ts';
import type { Detector } from './detector.ts';

export const pnpmDetector: Detector = {
  ecosystem: 'pnpm',
  lookedFor: 'pnpm-workspace.yaml or pnpm-lock.yaml beside a package.json with such scripts',
  wants: isJavaScriptFile,
  condense: null,
  detect: (view) => discoverPackages(view, 'pnpm', ['pnpm']),
};
