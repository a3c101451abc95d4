/** The databases the rows live in. */
export type DialectName = 'sqlite' | 'postgres';
