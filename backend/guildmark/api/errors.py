"""What HTTP itself can get wrong; each has a code as every other error has."""

from guildmark.domain.errors import (
    GuildmarkError,
    MalformedError,
    NetworkError,
    NotFoundError,
    UsageError,
)


class PathUnknownError(NotFoundError):
    """Nothing is served at this path."""

    code = "http.notFound"
    hint = "Look the path up under /docs."


class MethodRefusedError(UsageError):
    """The path is served, this method is not."""

    code = "http.methodNotAllowed"
    hint = "Use a method that the answer's Allow header names."


class ParameterInvalidError(MalformedError):
    """A value in path, query or header is missing, unknown, repeated or malformed."""

    code = "http.parameterInvalid"
    hint = "Correct the parameter that is named; /docs describes it."


class RequestMalformedError(MalformedError):
    """What was sent is no HTTP request, or its body does not follow its framing."""

    code = "http.requestMalformed"
    hint = "Send HTTP/1.1; behind a proxy, look at what the proxy sends."


class VersionUnsupportedError(MalformedError):
    """The request is of another HTTP version than 1.0 or 1.1."""

    code = "http.versionUnsupported"
    hint = "Send HTTP/1.1; for later versions put a web server before the node."


class HeadTooLargeError(UsageError):
    """A request's address and header fields are longer than any route needs."""

    code = "http.headTooLarge"
    hint = "Send fewer or shorter header fields, for example no cookies."


class HeadTooSlowError(UsageError):
    """A request's address and header fields did not arrive in time."""

    code = "http.headTooSlow"
    hint = "Send the request at once after connecting."


class MediaTypeError(UsageError):
    """The body is of another media type than the route takes."""

    code = "http.mediaTypeUnsupported"
    hint = "Send the body with the Content-Type that the answer's Accept header names."


class BodyTooLargeError(UsageError):
    """A request's body is longer than the route takes."""

    code = "http.bodyTooLarge"
    hint = "Send it in smaller parts."


class BodyTooSlowError(UsageError):
    """A request's body arrives too slowly to wait for it."""

    code = "http.bodyTooSlow"
    hint = "Send it again over a better connection, or in smaller parts."


class RequestRefusedError(UsageError):
    """The request is refused for a reason that HTTP's status names."""

    code = "http.refused"
    hint = "Look the path and method up under /docs."


class NodeFaultError(GuildmarkError):
    """The node met something that nobody foresaw; the operator's log holds it."""

    code = "node.fault"
    hint = "Try again; if it stays, give the answer's X-Request-ID to the node's operator."


class MemoryShortError(NetworkError):
    """The node has no memory left for the request; nothing of it was taken."""

    code = "node.memoryShort"
    hint = "Try again in a while, or send less at once; its operator gives the node more memory."

    @classmethod
    def of_request(cls) -> "MemoryShortError":
        """Return the error that answers a request."""
        return cls("The node has no memory left for this request.")
