import { Module } from '@nestjs/common';

/** Serves health and metrics alone: the work comes over the bus. */
@Module({})
export class AnalyzerModule {}
