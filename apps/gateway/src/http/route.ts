import { HttpCode, RequestMapping, RequestMethod, SetMetadata, applyDecorators } from '@nestjs/common';
import { ENDPOINTS, type Endpoint, type EndpointName } from '@delta-ci/contracts';
import { RouteConfig } from '@nestjs/platform-fastify';

/** Metadata key under which a handler's endpoint is found. */
export const ENDPOINT = Symbol('endpoint');

/** Makes a controller's method the handler of an endpoint: its route, its status and its authorisation rule. */
export function Route(name: EndpointName): MethodDecorator {
  const endpoint: Endpoint = ENDPOINTS[name];
  const [status] = Object.keys(endpoint.answers);
  return applyDecorators(
    RequestMapping({ method: RequestMethod[endpoint.method], path: endpoint.path }),
    HttpCode(Number(status)),
    SetMetadata(ENDPOINT, endpoint),
    RouteConfig({ endpoint }),
  );
}

/** The endpoint in a Fastify route's configuration; null for routes that are not of the table. */
export function endpointIn(config: object | undefined): Endpoint | null {
  return config !== undefined && 'endpoint' in config ? (config.endpoint as Endpoint) : null;
}

/** Methods that the table has for a path, whatever the method of the request was. */
export function methodsFor(url: string): string[] {
  const path = url.split(/[?#]/, 1)[0] ?? '';
  const matching = Object.values<Endpoint>(ENDPOINTS).filter((endpoint) => patternOf(endpoint).test(path));
  return [...new Set(matching.map(({ method }) => method))];
}

function patternOf({ path }: Endpoint): RegExp {
  const parts = path.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part.replaceAll('.', '\\.')));
  return new RegExp(`^${parts.join('/')}$`);
}
