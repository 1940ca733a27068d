import { Module } from '@nestjs/common';

/** Serves health and metrics alone: commands and reports arrive over the bus. */
@Module({})
export class OrchestratorModule {}
