/**
 * Counts the characters that were looked at. A text that takes too many is given up, and a test checks that the time is
 * linear.
 */
export interface Meter {
  steps: number;
}
