"""What all sections of `restoops.yaml` have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """A part of the file: read-only, and no unknown key passes unnoticed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _empty_means_left_out(cls, values: object) -> object:
        """Read a heading or a list without anything under it as left out.

        A file whose keys are all commented out is full of them. An empty number or text is
        a fault: a template that was not filled in must not deploy a default.
        """
        if not isinstance(values, dict):
            return values
        return {
            key: value
            for key, value in values.items()
            if value is not None or not isinstance(cls.default(key), Section | dict | tuple)
        }

    @classmethod
    def default(cls, key: object) -> object:
        """Return the default of a key, `None` when it has none or does not exist."""
        field = cls.model_fields.get(str(key))
        if field is None or field.is_required():
            return None
        return field.get_default(call_default_factory=True)
