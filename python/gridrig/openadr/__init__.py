"""OpenADR 2.0b, by which a grid operator's orders come: the rig's VEN, and an emulated VTN."""
