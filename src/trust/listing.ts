/** Whether a repository is one of those the operator names. */
import type { ForgeConfig } from '../config/config.ts';

/** `fullName` as the forge says it, never as a delivery does. */
export function isListed({ repositories }: Pick<ForgeConfig, 'repositories'>, fullName: string): boolean {
  const name = fullName.toLowerCase();
  return repositories.some((pattern) => {
    const wanted = pattern.toLowerCase();
    return wanted.endsWith('/*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted;
  });
}
