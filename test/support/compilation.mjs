// @ts-check
/**
 * How sources become JavaScript wherever they run without having been built: TypeScript with decorators and their types,
 * which Nest reads. Jest, child processes of specs and the simulator say it once, here.
 *
 * @type {import('@swc/core').Options}
 */
export const compilation = {
  jsc: {
    target: 'es2024',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
};
