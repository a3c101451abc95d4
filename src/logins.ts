/** Logins of a forge: upper and lower case name the same account. */

export function sameLogin(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

export function hasLogin(logins: readonly string[], login: string): boolean {
  return logins.some((one) => sameLogin(one, login));
}
