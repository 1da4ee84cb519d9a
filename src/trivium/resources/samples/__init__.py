"""Samples of datasets, what is said of them, and the labels that a dataset knows."""

from trivium.resources.samples.arriving import Arrived, take_in
from trivium.resources.samples.bookkeeping import Named, check_size
from trivium.resources.samples.errors import (
    LabelExists,
    LabelsLeaving,
    NoSampleFile,
    NoSuchLabel,
    NoSuchSample,
    NotAPicture,
    NotTaken,
    PictureTooLarge,
    SampleFileThere,
    SampleTooLarge,
    ShortcutTaken,
    TooManyPictures,
)
from trivium.resources.samples.labelling import (
    change_label,
    create_labels,
    delete_labels,
    label_named,
    list_labels,
)
from trivium.resources.samples.leaving import is_leaving, settle
from trivium.resources.samples.properties import counted as count_properties
from trivium.resources.samples.putting import put
from trivium.resources.samples.reading import samples_of
from trivium.resources.samples.seeking import Range, Sought, SoughtLabel, SoughtLabels, SoughtProperties, fits
from trivium.resources.samples.service import (
    annotate,
    by_state,
    directory_of,
    get,
    labels_in_states,
    list_labelled,
    list_samples,
    remove,
    take_out_by_id,
)
from trivium.resources.samples.table import LABELS, SAMPLES, labels, samples
from trivium.resources.samples.types import Annotation, KeptSample, Label, LabelDeletion, NewLabel, Put, SampleState
from trivium.resources.samples.users import SamplesOfDatasets, is_anything_left, purge

__all__ = [
    "LABELS",
    "SAMPLES",
    "Annotation",
    "Arrived",
    "KeptSample",
    "Label",
    "LabelDeletion",
    "LabelExists",
    "LabelsLeaving",
    "Named",
    "NewLabel",
    "NoSampleFile",
    "NoSuchLabel",
    "NoSuchSample",
    "NotAPicture",
    "NotTaken",
    "PictureTooLarge",
    "Put",
    "Range",
    "SampleFileThere",
    "SampleState",
    "SampleTooLarge",
    "SamplesOfDatasets",
    "ShortcutTaken",
    "Sought",
    "SoughtLabel",
    "SoughtLabels",
    "SoughtProperties",
    "TooManyPictures",
    "annotate",
    "by_state",
    "change_label",
    "check_size",
    "count_properties",
    "create_labels",
    "delete_labels",
    "directory_of",
    "fits",
    "get",
    "is_anything_left",
    "is_leaving",
    "label_named",
    "labels",
    "labels_in_states",
    "list_labelled",
    "list_labels",
    "list_samples",
    "purge",
    "put",
    "remove",
    "samples",
    "samples_of",
    "settle",
    "take_in",
    "take_out_by_id",
]
