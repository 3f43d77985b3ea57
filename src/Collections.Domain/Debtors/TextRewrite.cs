namespace Collections.Domain.Debtors;

/// <summary>Writes a debtor's text anew with what is still referred to.</summary>
internal static class TextRewrite
{
    public static void Run(ref HotState s)
    {
        byte[] old = s.List<uint>(ListId.Text).Length == 0 ? [] : System.Runtime.InteropServices.MemoryMarshal.AsBytes(s.List<uint>(ListId.Text)).ToArray();
        s.Truncate(ListId.Text, 0);
        Move(ref s, old, new TextRef(0), 1);
        for (int i = 0; i < s.ItemCount; i++)
        {
            TextRef text = Move(ref s, old, s.Item(i).Text, 2);
            s.Item(i).Text = text;
        }
        for (int i = 0; i < s.PaymentCount; i++)
        {
            TextRef text = Move(ref s, old, s.Payment(i).Text, 1);
            s.Payment(i).Text = text;
        }
        for (int i = 0; i < s.Promises.Length; i++)
        {
            TextRef text = Move(ref s, old, s.Promises[i].Text, 1);
            s.Promises[i].Text = text;
        }
        for (int i = 0; i < s.Instructions.Length; i++)
        {
            TextRef text = MoveName(ref s, old, s.Instructions[i].Item);
            s.Instructions[i].Item = text;
        }
        for (int i = 0; i < s.Amendments.Length; i++)
        {
            TextRef text = Move(ref s, old, s.Amendments[i].Text, 2);
            s.Amendments[i].Text = text;
        }
        for (int i = 0; i < s.Marks.Length; i++)
        {
            TextRef text = Move(ref s, old, s.Marks[i].Text, 2);
            s.Marks[i].Text = text;
        }
        for (int i = 0; i < s.Profile.Length; i++)
        {
            TextRef text = Move(ref s, old, s.Profile[i].Text, s.Profile[i].Field == ProfileField.Registration ? 4 : 1);
            s.Profile[i].Text = text;
        }
    }

    /// <summary>An instruction's item shares the text of the item itself where that is here.</summary>
    private static TextRef MoveName(ref HotState s, byte[] old, TextRef from)
    {
        ReadOnlySpan<byte> name = old.AsSpan(from.Unit * 4 + 1, old[from.Unit * 4]);
        int item = s.FindItem(name);
        return item >= 0 ? s.Item(item).Text : s.AppendText(name);
    }

    private static TextRef Move(ref HotState s, byte[] old, TextRef from, int strings)
    {
        int start = from.Unit * 4;
        int end = start;
        for (int i = 0; i < strings; i++)
            end += 1 + old[end];
        return s.AppendRaw(old.AsSpan(start, end - start), from.Hash);
    }
}
