export { startTestMesh, type PushedChange, type TestMesh, type TestMeshOptions } from './test-mesh.ts';
export { brokenInvariants } from './invariants.ts';
export { restartablePostgres, type RestartablePostgres } from './restartable-postgres.ts';
export { configWith, type HeldJob } from './held-jobs.ts';
export { CommandRefused } from './mesh-api.ts';
