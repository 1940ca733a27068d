import type { PlanningRules } from './model.ts';

/** What an installation decides about jobs unless it says otherwise. */
export const DEFAULT_PLANNING_RULES: PlanningRules = {
  pool: 'default',
  os: 'linux',
  trustedIsolation: 'sandbox',
  /** Registries that only give: no account of ours can write there. */
  untrustedEgress: [
    'registry.npmjs.org',
    'registry.yarnpkg.com',
    'repo.yarnpkg.com',
    'proxy.golang.org',
    'sum.golang.org',
    'repo.maven.apache.org',
    'plugins.gradle.org',
    'services.gradle.org',
    'api.nuget.org',
    'files.pythonhosted.org',
    'pypi.org',
    'index.crates.io',
    'static.crates.io',
    'rubygems.org',
    'index.rubygems.org',
    'repo.packagist.org',
    'codeload.github.com',
    'repo.hex.pm',
    'builds.hex.pm',
  ],
  requireToolchains: false,
};
