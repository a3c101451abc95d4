import type { Command } from 'commander';
export function registerInspection(_program: Command): void {}
