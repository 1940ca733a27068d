import { describe, expect, it } from '@jest/globals';
import type { Endpoint } from './endpoint.ts';
import { ENDPOINTS } from './endpoints.ts';
import { openApiDocument } from './open-api.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly responses: Readonly<Record<string, object>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const document = openApiDocument() as Document;
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));

describe('the OpenAPI document', () => {
  it('describes every endpoint once', () => {
    expect(operations.map(({ operationId }) => operationId).toSorted()).toEqual(Object.keys(ENDPOINTS).toSorted());
  });

  it('is the same text every time', () => {
    expect(JSON.stringify(openApiDocument())).toBe(JSON.stringify(document));
  });

  it('refers to nothing that it does not hold', () => {
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]*)"/g);
    const missing = [...references]
      .map(([, name]) => name ?? '')
      .filter((name) => !(name in document.components.schemas));
    expect(missing).toEqual([]);
  });

  it('has a required parameter for every placeholder of a path', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      const placeholders = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters } of Object.values(methods)) {
        const required = parameters.filter((parameter) => parameter.in === 'path' && parameter.required);
        expect(required.map(({ name }) => name)).toEqual(placeholders);
      }
    }
  });

  it('says of a route that takes a token what happens without one', () => {
    for (const [name, { access }] of Object.entries<Endpoint>(ENDPOINTS)) {
      const operation = operations.find(({ operationId }) => operationId === name);
      expect('401' in (operation?.responses ?? {})).toBe(access !== 'anyone');
    }
  });
});

describe('endpoints', () => {
  it('no two share a method and a path', () => {
    const places = Object.values<Endpoint>(ENDPOINTS).map(({ method, path }) => `${method} ${path}`);
    expect(new Set(places).size).toBe(places.length);
  });

  it('only what holds no data of users is open to anyone', () => {
    const open = Object.entries<Endpoint>(ENDPOINTS).filter(([, { access }]) => access === 'anyone');
    expect(open.map(([name]) => name)).toEqual(['openApi', 'openIdConfiguration', 'jsonWebKeySet']);
  });
});
