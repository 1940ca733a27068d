import type { Discovery, DiscoveryProblem } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { isRubyManifest, readProjects } from '../ruby/projects.ts';
import { edgesOf, unitOf } from '../ruby/units.ts';
import { fileNameOf } from '../tree-paths.ts';
import { TOOL_VERSIONS } from '../tool-versions.ts';
import type { Detector } from './detector.ts';

/** Programs and gems of Ruby, as bundler installs them. */
export const rubyDetector: Detector = {
  ecosystem: 'ruby',
  lookedFor: 'Gemfile or a gemspec (Ruby programs and gems)',
  wants: (path) => isRubyManifest(path) || READ.has(fileNameOf(path)),
  condense: null,
  detect,
};

const READ = new Set(['Gemfile.lock', 'gems.locked', '.ruby-version', TOOL_VERSIONS, 'Rakefile']);

function detect(snapshot: RepositoryView): Discovery {
  const problems: DiscoveryProblem[] = [];
  const tree = readProjects(snapshot, problems);
  const projects = [...tree.projects.values()];
  return {
    units: projects.map((project) => unitOf(project, tree)),
    edges: projects.flatMap((project) => edgesOf(project, tree)),
    problems,
  };
}
