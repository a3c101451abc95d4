/** The two forges of this family. They differ in a handful of events, which are told apart by this word. */
export type FamilyMember = 'forgejo' | 'gitea';

export function isMember(kind: string): kind is FamilyMember {
  return kind === 'forgejo' || kind === 'gitea';
}
