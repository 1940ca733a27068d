import type { UnitEdge } from '../model.ts';
import type { GradleBuild, GradleProject } from './builds.ts';
import { isToken, type ScriptToken } from './scan-script.ts';

/** Configurations of what only tests, benchmarks and the like are made of. */
const OF_TESTS =
  /^(?:test|jmh|androidTest|functionalTest|integrationTest|integTest|intTest|smokeTest|e2e)|Test(?:Implementation|Runtime|Compile|Api)/u;

/** What stands between a configuration and the project it takes. */
const WRAPS = new Set(['platform', 'enforcedPlatform', 'testFixtures', 'project', 'projects', 'dependencies']);

/** Projects of its build that a script mentions: among its dependencies, for their tasks, or in any other way. */
export function edgesOfProject(project: GradleProject, build: GradleBuild): UnitEdge[] {
  if (project.script === null) return [];
  const { file, tokens } = project.script;
  const byPath = new Map(build.projects.map((each) => [each.path, each.root]));
  const byAccessor = new Map(build.projects.map((each) => [accessorOf(each.path), each.path]));
  const edges: UnitEdge[] = [];
  const add = (path: string | null, configuration: string | null): void => {
    const to = path === null ? undefined : byPath.get(path);
    if (path === null || to === undefined || to === project.root) return;
    const kind = configuration !== null && OF_TESTS.test(configuration) ? 'test' : 'production';
    const how = configuration === null ? 'mentions' : `${configuration} of`;
    edges.push({
      from: project.root,
      to,
      kind,
      evidence: configuration === null ? `${file} ${how} ${path}` : `${how} ${file} takes ${path}`,
    });
  };
  const suites = testingBlock(tokens);
  tokens.forEach((token, at) => {
    if (token.kind === 'text' && token.value.includes(':')) {
      // `:cart:jar` is a task of `:cart`; from a project `cart:jar` may be one of a project below it.
      add(longestPath(token.value, byPath, project.path), configurationAt(tokens, at, suites));
    } else if (isToken(token, 'word', 'projects') && isToken(tokens[at + 1], 'sign', '.')) {
      add(accessed(tokens, at + 2, byAccessor), configurationAt(tokens, at, suites));
    }
  });
  return edges;
}

function longestPath(text: string, byPath: ReadonlyMap<string, string>, from: string): string | null {
  if (text.length > 1_000) return null;
  const absolute = text.startsWith(':') ? text : `${from === ':' ? '' : from}:${text}`;
  const parts = absolute.split(':').slice(1);
  for (let count = parts.length; count > 0; count -= 1) {
    const path = `:${parts.slice(0, count).join(':')}`;
    if (byPath.has(path)) return path;
  }
  return null;
}

/** `projects.sdkExtensions.autoconfigureSpi` is `:sdk-extensions:autoconfigure-spi`. */
function accessorOf(path: string): string {
  const parts = path.split(':').filter((part) => part !== '');
  return parts.map((part) => part.replace(/[-_.](?<next>.)/gu, (_, next: string) => next.toUpperCase())).join('.');
}

function accessed(
  tokens: readonly ScriptToken[],
  from: number,
  byAccessor: ReadonlyMap<string, string>,
): string | null {
  let found: string | null = null;
  let name = '';
  for (let at = from; isToken(tokens[at], 'word'); at += 2) {
    name = name === '' ? (tokens[at]?.value ?? '') : `${name}.${tokens[at]?.value ?? ''}`;
    found = byAccessor.get(name) ?? found;
    if (!isToken(tokens[at + 1], 'sign', '.')) break;
  }
  return found;
}

/** From and to where `testing { suites { … } }` stands, in which `implementation` is that of a suite of tests. */
function testingBlock(tokens: readonly ScriptToken[]): readonly [from: number, to: number] | null {
  const from = tokens.findIndex(
    (token, at) => isToken(token, 'word', 'testing') && isToken(tokens[at + 1], 'sign', '{'),
  );
  if (from < 0) return null;
  let depth = 0;
  for (let at = from + 1; at < tokens.length; at += 1) {
    if (isToken(tokens[at], 'sign', '{')) depth += 1;
    if (isToken(tokens[at], 'sign', '}')) depth -= 1;
    if (depth === 0) return [from, at];
  }
  return [from, tokens.length];
}

function configurationAt(
  tokens: readonly ScriptToken[],
  at: number,
  suites: readonly [from: number, to: number] | null,
): string | null {
  const configuration = configurationBefore(tokens, at);
  const inSuite = suites !== null && suites[0] < at && at < suites[1];
  return inSuite && configuration !== null ? 'testing' : configuration;
}

/** As many tokens as stand between `implementation` and its project: `(platform(project(path:`. */
const BEFORE = 8;

function configurationBefore(tokens: readonly ScriptToken[], at: number): string | null {
  for (let back = at - 1; back >= Math.max(0, at - BEFORE); back -= 1) {
    const token = tokens[back];
    if (token === undefined || token.kind === 'text') return null;
    if (token.kind === 'sign' && !['(', ':', '='].includes(token.value)) return null;
    if (token.kind === 'word' && token.value !== 'path' && !WRAPS.has(token.value)) return token.value;
  }
  return null;
}
