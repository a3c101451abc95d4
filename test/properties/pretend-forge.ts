/** As much of a forge as an effect needs: comments that stay once they are posted, found by their marker. */
export class PretendForge {
  readonly #comments: string[] = [];

  find(marker: string): { url: string } | null {
    const index = this.#comments.indexOf(marker);
    return index < 0 ? null : { url: `comment ${index}` };
  }

  post(marker: string): { url: string } {
    this.#comments.push(marker);
    return { url: `comment ${this.#comments.length - 1}` };
  }

  /** Markers that were posted more than once. */
  repeated(): string[] {
    return this.#comments.filter((marker, index) => this.#comments.indexOf(marker) !== index);
  }
}
