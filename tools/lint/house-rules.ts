/**
 * Lint rules of this house that oxlint does not have. Loaded by oxlint as a JavaScript plugin (`jsPlugins` in
 * `.oxlintrc.json`), so only erasable TypeScript and no imports. Each rule is a syntax pattern and one sentence
 * that tells the reader what to do instead; which rooms a rule applies to is decided in `.oxlintrc.json`.
 */

/** The part of a syntax node that these rules look at (ESTree with the TypeScript extension). */
interface SyntaxNode {
  readonly type: string;
  readonly async?: boolean;
  readonly await?: boolean;
  readonly expression?: SyntaxNode;
  readonly typeAnnotation?: SyntaxNode;
}

interface RuleContext {
  report(problem: { readonly node: SyntaxNode; readonly message: string }): void;
}

type Visitor = Readonly<Record<string, (node: SyntaxNode) => void>>;

interface Rule {
  create(context: RuleContext): Visitor;
}

/** A rule that reports every node of the given types for which `isBroken` holds. */
function rule(types: readonly string[], message: string, isBroken: (node: SyntaxNode) => boolean): Rule {
  return {
    create(context) {
      const visit = (node: SyntaxNode): void => {
        if (isBroken(node)) context.report({ node, message });
      };
      return Object.fromEntries(types.map((type) => [type, visit]));
    },
  };
}

const assertions = ['TSAsExpression', 'TSTypeAssertion'];

const assertsUnknown = (node: SyntaxNode | undefined): boolean =>
  node !== undefined && assertions.includes(node.type) && node.typeAnnotation?.type === 'TSUnknownKeyword';

const plugin: { readonly meta: { readonly name: string }; readonly rules: Readonly<Record<string, Rule>> } = {
  meta: { name: 'house' },
  rules: {
    'no-export-star': rule(
      ['ExportAllDeclaration'],
      'List the exported names: `export *` hides what a door lets through.',
      () => true,
    ),
    'no-double-assertion': rule(
      assertions,
      'Parse or narrow the value: `as unknown as` switches the type checker off.',
      (node) => assertsUnknown(node.expression),
    ),
    synchronous: rule(
      ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression', 'AwaitExpression', 'ForOfStatement'],
      'A pure room never awaits: load first, hand the data in, and decide synchronously.',
      (node) => node.type === 'AwaitExpression' || node.async === true || node.await === true,
    ),
  },
};

export default plugin;
