/** The server the product is developed against, from npm as well; see the root package.json. */
export const POSTGRES_IMAGE = 'postgres:17-alpine';
/** The line of releases that the bootstrap downloads. */
export const NATS_IMAGE = 'nats:2.14-alpine';
