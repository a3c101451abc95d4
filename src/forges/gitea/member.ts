/** Which of the two forges of this family: they differ in a handful of events. */
export type FamilyMember = 'forgejo' | 'gitea';

export function isMember(kind: string): kind is FamilyMember {
  return kind === 'forgejo' || kind === 'gitea';
}
