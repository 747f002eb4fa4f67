/** A refusal that the client can understand, in OpenAI's form. */
export class ApiError extends Error {
  constructor(
    readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 500 | 503,
    message: string,
    readonly options: { code?: string; param?: string; retryAfter?: number } = {},
  ) {
    super(message);
  }

  get body() {
    const { code = null, param = null } = this.options;
    const type = this.status >= 500 ? "server_error" : "invalid_request_error";
    return { error: { message: this.message, type, param, code } };
  }
}
