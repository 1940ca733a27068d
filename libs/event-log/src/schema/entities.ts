/** Entities of the read model. */
export const ENTITIES = [] as const;
