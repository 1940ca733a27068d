import { openApiDocument } from '@delta-ci/contracts';
import type { Generator } from './generator.ts';

/** OpenAPI 3.1 of the gateway, as it answers `/openapi.json`, for those who generate clients. */
export const openApiGenerator: Generator = {
  title: 'OpenAPI of the gateway',
  files: () => Promise.resolve({ 'docs/reference/openapi.json': `${JSON.stringify(openApiDocument(), null, 2)}\n` }),
};
