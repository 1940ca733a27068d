import { compilation } from './test/support/compilation.mjs';

/**
 * One Jest configuration for the whole workspace. Sources are loaded directly (no build needed for unit
 * tests): `@delta-ci/*` resolves to each lib's door, and swc compiles TypeScript with decorator metadata.
 */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/test', '<rootDir>/tools'],
  testMatch: ['**/*.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { ...compilation, sourceMaps: 'inline' }] },
  moduleNameMapper: { '^@delta-ci/([^/]+)$': '<rootDir>/libs/$1/src/index.ts' },
  globalSetup: '<rootDir>/test/support/infra/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/infra/global-teardown.mjs',
  testTimeout: 60_000,
  maxWorkers: 2,
};
