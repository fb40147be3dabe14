/** What Roster does not take, whatever it asks for: because of where it comes from, or whom it is for. */
export class RefusedError extends Error {
  override name = 'RefusedError';
  readonly statusCode: 400 | 403 | 421;

  constructor(statusCode: 400 | 403 | 421, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}
