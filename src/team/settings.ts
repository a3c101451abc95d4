/** What the operator has set for the team in a repository: the repository's own setting, then the general one. Pure. */
import type { ForgeConfig, LoadedConfig } from '../config/config.ts';
import { settingOf } from '../config/listed-repositories.ts';

export function mergeBy(
  config: Pick<LoadedConfig, 'team'>,
  forge: Pick<ForgeConfig, 'repositories'>,
  fullName: string,
): 'people' | 'boss' {
  // guard: team: the nearest setting of who merges
  return settingOf(forge, fullName, 'merge') ?? config.team.merge;
}
