/** Why `init` does nothing: what is in the way, and what to do about it. */

export type RefusalCode =
  | 'forge-unreachable'
  | 'wrong-address'
  | 'wrong-kind'
  | 'version-too-old'
  | 'not-offered'
  | 'admin-token-refused'
  | 'admin-token-scope'
  | 'no-administrator'
  | 'repository-missing'
  | 'no-repositories'
  | 'not-repository-administrator'
  | 'account-exists'
  | 'account-refused'
  | 'account-token'
  | 'passwords-not-taken'
  | 'hook-secret-unknown'
  | 'hook-differs'
  | 'configuration-differs'
  | 'configuration-invalid';

export interface Refusal {
  code: RefusalCode;
  /** a sentence without its full stop */
  problem: string;
  /** whole sentences */
  remedy: string;
}

/** In mid-way: what was done before is recorded, and running `init` again goes on there. */
export class InitRefused extends Error {
  override name = 'InitRefused';
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(`${refusal.problem}. ${refusal.remedy}`);
    this.refusal = refusal;
  }
}
