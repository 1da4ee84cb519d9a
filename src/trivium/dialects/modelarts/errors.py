"""What only ModelArts' dialect refuses. `codes` has what each error is called there."""

from __future__ import annotations

from trivium.base.errors import Conflict, Forbidden, Invalid, NotFound, OverQuota, Unauthenticated, Unsupported


class SignatureRefused(Unauthenticated):
    """The signature is not that of the key's secret, or nobody has the key; which of them is not said."""

    code = "modelarts.signature"


class SignatureOutsideWindow(Unauthenticated):
    """The time of a signature is too far from the time now."""

    code = "modelarts.window"


class NoCredentials(Unauthenticated):
    """The request carries neither a signature nor a token, or a signature of another algorithm or form."""

    code = "modelarts.no_credentials"


class TokenRefused(Unauthenticated):
    """The token is none that was issued here."""

    code = "modelarts.token"


class LinkRefused(Unauthenticated):
    """A link was not signed here, is for another file, was changed, or is too old."""

    code = "modelarts.link"


class ScopeRefused(Unauthenticated):
    """The project or domain that a token is asked for is none of the user's."""

    code = "modelarts.scope"


class ProjectMismatch(Forbidden):
    """The project in the path is none in which the caller has a role, or not the one that the request names."""

    code = "modelarts.project"


class NoSuchInterface(NotFound):
    """Nothing stands at the path."""

    code = "modelarts.no_such_interface"


class NotServed(NotFound):
    """The interface is one of ModelArts' that this installation does not serve; `coverage.toml` has the reason."""

    code = "modelarts.not_served"


class WrongMethod(NotFound):
    """The path is known, the method is not."""

    code = "modelarts.wrong_method"


class BodyTooLarge(OverQuota):
    """The body is larger than bodies may be."""

    code = "modelarts.body_too_large"


class NotOneOf(Invalid):
    """A value is none of the words that the field may be."""

    code = "modelarts.not_one_of"


class NotSortable(Invalid):
    """The list cannot be sorted by that field."""

    code = "modelarts.not_sortable"


class UnknownWorkspace(Invalid):
    """There is no workspace of that id."""

    code = "modelarts.no_such_workspace"


class BadContinue(Invalid):
    """The place to continue a list at was not given here, was for another list, or is too old."""

    code = "modelarts.bad_continue"


class BadSelector(Invalid):
    """A label selector does not follow Kubernetes' grammar."""

    code = "modelarts.bad_selector"


class NotHere(Unsupported):
    """A notebook, image or pool cannot be had as it is asked for."""

    code = "modelarts.not_here"


class UnknownFlavor(Unsupported):
    """The flavor's name is none of this installation's."""

    code = "modelarts.unknown_flavor"


class BadNotebookName(Invalid):
    """A notebook cannot be called that here."""

    code = "modelarts.bad_name"


class BadVolume(Invalid):
    """A volume cannot be so small or so large."""

    code = "modelarts.bad_volume"


class BadContentType(Invalid):
    """What changes a thing is told as `application/merge-patch+json` or `application/json`."""

    code = "modelarts.bad_content_type"


class BadNodePoolName(Invalid):
    """A node pool cannot be called that."""

    code = "modelarts.bad_node_pool_name"


class BadDescription(Invalid):
    """A description is too long, or has signs in it that none may have."""

    code = "modelarts.bad_description"


class LeaseOutOfBounds(Invalid):
    """A notebook cannot be asked to run for so short or so long a time."""

    code = "modelarts.lease_out_of_bounds"


class LeaseMissing(Invalid):
    """A lease is to be renewed, and nothing says for how long."""

    code = "modelarts.lease_missing"


class BadTags(Invalid):
    """A list of tags is written as none."""

    code = "modelarts.bad_tags"


class Exclusive(Invalid):
    """Two parameters are given of which there may be one; `other` is the second."""

    code = "modelarts.exclusive"


class BadConfig(Invalid):
    """The configuration of a model is none."""

    code = "modelarts.bad_config"


class BadLocation(Invalid):
    """The files of a model cannot be had from there."""

    code = "modelarts.bad_location"


class VersionOutdated(Invalid):
    """The samples of a dataset are other ones than when the version was published."""

    code = "modelarts.version_outdated"


class NoSuchCondition(Invalid):
    """Samples are not sought by that."""

    code = "modelarts.no_such_condition"


class AttributeExists(Conflict):
    """A label is to have two attributes of one name."""

    code = "modelarts.attribute_exists"


class BadExport(Invalid):
    """Samples are not exported so."""

    code = "modelarts.bad_export"


class OnlyBuckets(Invalid):
    """Samples come from a service other than object storage."""

    code = "modelarts.only_buckets"


class WorkPathTooLong(Invalid):
    """The place for what is published of a dataset has too many characters."""

    code = "modelarts.work_path_too_long"


class WorkPathIsBucket(Invalid):
    """The place for what is published of a dataset is a bucket, not in one."""

    code = "modelarts.work_path_is_bucket"


class WorkPathWithin(Invalid):
    """The place for what is published of a dataset is within that of its samples."""

    code = "modelarts.work_path_within"
