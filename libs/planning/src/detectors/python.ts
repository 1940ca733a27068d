import { isPythonFile } from '../python/projects.ts';
import { discoverPython } from '../python/units.ts';
import type { Detector } from './detector.ts';

/** Packages of Python: of uv and its workspaces, poetry, pdm, pipenv, and what pip installs. */
export const pythonDetector: Detector = {
  ecosystem: 'python',
  lookedFor:
    'pyproject.toml, setup.py, setup.cfg, Pipfile or requirements.txt with tests, linters or type checks set up',
  wants: isPythonFile,
  condense: null,
  detect: discoverPython,
};
