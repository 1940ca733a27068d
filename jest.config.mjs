/**
 * One Jest configuration for the whole workspace. Sources are loaded directly (no build needed for unit
 * tests): `@delta-ci/*` resolves to each lib's door, and swc compiles TypeScript with decorator metadata.
 */
const swc = {
  jsc: {
    target: 'es2024',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/test', '<rootDir>/tools'],
  testMatch: ['**/*.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  moduleNameMapper: { '^@delta-ci/([^/]+)$': '<rootDir>/libs/$1/src/index.ts' },
  globalSetup: '<rootDir>/test/support/infra/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/infra/global-teardown.mjs',
  testTimeout: 60_000,
  maxWorkers: 2,
};
