/** What a lock file says of one package, and all that the package door knows of lock files. */
export interface Locked {
  ecosystem: 'npm' | 'pypi' | 'crates' | 'go' | 'maven';
  name: string;
  version: string | null;
  /** SRI form 'sha512-<base64>', 'sha256-<base64>', or 'go-h1:<base64>' */
  digests: readonly string[];
}
