/** Functions of conditions beside CEL's own. */
import { sameLogin } from '../logins.ts';

export const CONDITION_FUNCTIONS = [
  {
    call: 'sameLogin(a, b)',
    signature: 'sameLogin(dyn, dyn): bool',
    meaning: 'the two logins are the same account; upper and lower case do not matter',
    run: areSame,
  },
  {
    call: 'hasLogin(list, login)',
    signature: 'hasLogin(dyn, dyn): bool',
    meaning: 'the list of logins has this account in it',
    run: (list: unknown, login: unknown) =>
      Array.isArray(list) && list.some((entry) => areSame(entry, login)),
  },
] as const;

function areSame(a: unknown, b: unknown): boolean {
  return typeof a === 'string' && typeof b === 'string' && sameLogin(a, b);
}
