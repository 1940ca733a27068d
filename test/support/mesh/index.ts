export { QUICK, startTestMesh, type TestMeshOptions } from './start-test-mesh.ts';
export { FORGE_SECRETS, type PushedChange, type TestMesh } from './test-mesh.ts';
export { type EffectLedger } from './effect-ledger.ts';
export { restartablePostgres, type RestartablePostgres } from './restartable-postgres.ts';
export { configWith, type HeldJob } from './held-jobs.ts';
export { CommandRefused } from './mesh-api.ts';
