/** Counts the characters looked at: a text that takes too many is given up, and a test sees that the time is linear. */
export interface Meter {
  steps: number;
}
